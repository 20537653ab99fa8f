#version 450
#extension GL_GOOGLE_include_directive : require
/* fma_dq_kept.comp - dq from the dS that fma_dkv_keep.comp left. */
#define FMA
#include "simt_dq_kept.glsl"
