/* embedding_links.glsl - a link, as embedding_next.comp writes it. */
#define LINK_NONE 0x3fffffffu
#define LINK_BEFORE 0x40000000u
#define LINK_APART 0x80000000u
