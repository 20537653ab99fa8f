#version 450
#extension GL_GOOGLE_include_directive : require
/* simt_forward.comp - o and lse. */
#include "simt_forward.glsl"
