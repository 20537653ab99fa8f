#version 450
#extension GL_GOOGLE_include_directive : require
#define TA 0
#define TB 1
#define HLX_OWN_LAYOUT
#define NEXT
#include "hlx.glsl"
#include "gemm.glsl"
#include "simt.glsl"
