#version 450
#extension GL_GOOGLE_include_directive : require
/* fma_delta.comp - delta. */
#define FMA
#include "simt_delta.glsl"
