#version 450
#extension GL_GOOGLE_include_directive : require
#define HLX_PUBLIC
#include "layernorm_forward.glsl"
