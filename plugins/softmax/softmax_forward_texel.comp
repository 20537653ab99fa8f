#version 450
#extension GL_GOOGLE_include_directive : require
#define ROWS_TEXEL
#include "softmax_forward.glsl"
