#version 450
/* embedding_fwd.glsl where d_model is a multiple of 4 */
#define REAL vec4
#extension GL_GOOGLE_include_directive : require
#include "embedding_fwd.glsl"
