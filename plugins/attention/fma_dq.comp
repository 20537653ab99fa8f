#version 450
#extension GL_GOOGLE_include_directive : require
/* fma_dq.comp - dq from scores of its own. */
#define FMA
#include "simt_dq.glsl"
