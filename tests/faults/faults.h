/* faults.h - what can be wrong with an implementation of sway, for C and GLSL: specialization constant 0 of its kernels. */
#define RIGHT     0
#define SWAPPED   1  /* adds from the last column to the first */
#define EDGE      2  /* leaves the rows of the last, partial workgroup */
#define PAST      3  /* writes one element past the end */
#define UNWRITTEN 4  /* leaves a zero where it believes one to be */
#define CONTRACTS 5  /* fma: a module of its own */
#define LOST      6  /* dx = where it is to be += */
#define FRESH     7  /* partial sums do not go on from what is there */
#define TICKET    8  /* a counter in work memory that nobody resets */
#define RACE      9  /* shared memory is read without a barrier: a module of its own */
#define STEEP     10 /* gradients twice as steep; so says the reference, too */
#define UNSTORED  11 /* no hlx_store */
#define STRIDE    12 /* believes that rows follow each other */
#define MIXED     13 /* every S-th row to a slot, not S runs of rows */
#define IGNORED   14 /* an attribute */
#define INPUT     15 /* writes to its input: a module of its own */
#define GRABBY    16 /* writes a gradient that nobody asked for */
#define ENDLESS   17 /* takes any number of columns, one loop iteration each */
#define BEHIND    18 /* the storage's start is the tensor's */
#define DOUBLED   19 /* twice the result; so says the reference, too */
