#version 450
#extension GL_GOOGLE_include_directive : require
#define HLX_OWN_LAYOUT
#define DBIAS_TEXEL
#include "hlx.glsl"
#include "gemm_dbias.glsl"
