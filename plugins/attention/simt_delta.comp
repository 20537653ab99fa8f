#version 450
#extension GL_GOOGLE_include_directive : require
/* simt_delta.comp - delta. */
#include "simt_delta.glsl"
