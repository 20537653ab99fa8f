#version 450
/* embedding_position.glsl where d_model is a multiple of 4 */
#define REAL vec4
#extension GL_GOOGLE_include_directive : require
#include "embedding_position.glsl"
