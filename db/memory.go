package db

import "C" // memory.c
