#version 450
#extension GL_GOOGLE_include_directive : require
/* fma_forward.comp - o and lse. */
#define FMA
#include "simt_forward.glsl"
