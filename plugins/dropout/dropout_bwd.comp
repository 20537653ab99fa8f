#version 450
#extension GL_GOOGLE_include_directive : require
#include "dropout_bwd.glsl"
