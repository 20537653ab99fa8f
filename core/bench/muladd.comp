#version 450
#extension GL_GOOGLE_include_directive : require
/* x = x a + b, rounded twice: the build makes it NoContraction. */
#define STEP(x) x = x * a + b
#include "arith.glsl"
