/* rt.c - the one variable behind rt.h */
#include "mixer/rt.h"

_Thread_local int rt_depth;
