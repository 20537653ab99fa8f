#version 450
#extension GL_GOOGLE_include_directive : require
#define TA 0
#define TB 1
#pragma use_vulkan_memory_model
#define NEXT
#define HLX_OWN_LAYOUT
#include "hlx.glsl"
#include "gemm.glsl"
#include "coopmat.glsl"
