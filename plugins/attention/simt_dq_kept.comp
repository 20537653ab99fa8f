#version 450
#extension GL_GOOGLE_include_directive : require
/* simt_dq_kept.comp - dq from the dS that simt_dkv_keep.comp left. */
#include "simt_dq_kept.glsl"
