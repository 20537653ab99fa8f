/*
 * once.glsl - the members of a push or uniform block, read once, where main() begins: for builds that only CPU drivers run.
 *
 *     layout(push_constant) uniform Push { uint n; } ONCE_BLOCK(push);
 *     ONCE(uint, push, n)          // ONCE_MEMBERS: n is a variable; else it is the block's member
 *
 * lavapipe 22.3.6 reads a member with one load and a broadcast as long as there was no branch and no loop; from then on it gathers
 * it lane by lane, each time: some 50 instructions for 16 lanes.
 */
#ifndef ONCE_GLSL
#define ONCE_GLSL

#ifdef ONCE_MEMBERS
#define ONCE_BLOCK(name) name
#define ONCE(type, block, member) type member = block.member;
#else
#define ONCE_BLOCK(name)
#define ONCE(type, block, member)
#endif

#endif
