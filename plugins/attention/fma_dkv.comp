#version 450
#extension GL_GOOGLE_include_directive : require
/* fma_dkv.comp - dk and dv. */
#define FMA
#include "simt_dkv.glsl"
