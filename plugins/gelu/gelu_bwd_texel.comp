#version 450
#extension GL_GOOGLE_include_directive : require
#define FLAT_TEXEL
#include "gelu_bwd.glsl"
