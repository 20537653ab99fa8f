#version 450
#extension GL_GOOGLE_include_directive : require
#define TA 1
#define TB 1
#include "hlx.glsl"
#include "gemm.glsl"
#include "simd.glsl"
