// All threads take SQLite's memory from one place. Otherwise glibc gives each its
// own, and as Go moves its goroutines between threads, what one of them has given
// back the others don't find: the process grows for as long as it runs. Nothing is
// slower for it, since SQLite takes memory under a lock of its own. It is said before
// the program begins: the threads that Go starts with would have places already.
#ifdef __linux__
#include <features.h>
#endif
#ifdef __GLIBC__
#include <malloc.h>

__attribute__((constructor)) static void share_memory(void) { mallopt(M_ARENA_MAX, 1); }
#endif
