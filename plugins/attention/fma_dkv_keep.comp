#version 450
#extension GL_GOOGLE_include_directive : require
/* fma_dkv_keep.comp - dk, dv, and dS kept for fma_dq_kept.comp. */
#define FMA
#define KEEP_DS
#include "simt_dkv.glsl"
