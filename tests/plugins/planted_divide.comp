#version 450
#extension GL_GOOGLE_include_directive : require
#define TERM(row, c, k) (x[row + k] / 3.0)
#include "planted.glsl"
