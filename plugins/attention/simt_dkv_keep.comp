#version 450
#extension GL_GOOGLE_include_directive : require
/* simt_dkv_keep.comp - dk, dv, and dS kept for simt_dq_kept.comp. */
#define KEEP_DS
#include "simt_dkv.glsl"
