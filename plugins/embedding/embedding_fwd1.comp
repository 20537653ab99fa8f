#version 450
/* embedding_fwd.glsl for any d_model */
#define REAL float
#extension GL_GOOGLE_include_directive : require
#include "embedding_fwd.glsl"
