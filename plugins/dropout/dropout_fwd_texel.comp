#version 450
#extension GL_GOOGLE_include_directive : require
#define FLAT_TEXEL
#include "dropout_fwd.glsl"
