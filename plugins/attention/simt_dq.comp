#version 450
#extension GL_GOOGLE_include_directive : require
/* simt_dq.comp - dq from scores of its own. */
#include "simt_dq.glsl"
