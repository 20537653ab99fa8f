#version 450
#extension GL_GOOGLE_include_directive : require
#define TA 0
#define TB 1
#define NEXT
#include "hlx.glsl"
#include "gemm.glsl"
#include "simd.glsl"
