/* check/friends.h - two ops of the checker's own, for graphs in which an op has neighbours: check.scale and check.add. */
#ifndef HLX_CHECK_FRIENDS_H
#define HLX_CHECK_FRIENDS_H

#include "core/registry/registry.h"

/* Once for each registry; again does nothing. */
int hlx_check_friends_load(struct hlx_registry *);

#endif
