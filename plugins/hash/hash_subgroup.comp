#version 450
#extension GL_GOOGLE_include_directive : require
#define HLX_OWN_LAYOUT
#include "hlx.glsl"
#define HASH_SUBGROUP
#include "hash.glsl"
