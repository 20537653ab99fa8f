#version 450
#extension GL_GOOGLE_include_directive : require
#define HLX_PUBLIC
#define XENT_SOFTMAX
#include "xent_forward.glsl"
