#version 450
#extension GL_GOOGLE_include_directive : require
#define FLAT_ANY
#include "dropout_bwd.glsl"
