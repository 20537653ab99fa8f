#version 450
#extension GL_GOOGLE_include_directive : require
/* simt_dkv.comp - dk and dv. */
#include "simt_dkv.glsl"
