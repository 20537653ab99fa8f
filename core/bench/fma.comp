#version 450
#extension GL_GOOGLE_include_directive : require
/* x = x a + b, rounded once where the device has that. */
#define STEP(x) x = fma(x, a, b)
#include "arith.glsl"
