#version 450
#extension GL_GOOGLE_include_directive : require
#define X_ACCESS readonly
#define TERM(s, x, w) ((s) + hlx_mul(x, w))
#include "sway_forward.glsl"
