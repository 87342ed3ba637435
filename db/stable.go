package db

/*
#cgo linux LDFLAGS: -Wl,--unresolved-symbols=ignore-in-object-files
#cgo darwin LDFLAGS: -Wl,-undefined,dynamic_lookup

// Of sqlite3.h. The driver links the library.
typedef struct sqlite3 sqlite3;
int sqlite3_auto_extension(void (*entry)(void));
int sqlite3_db_config(sqlite3 *db, int op, ...);
enum { SQLITE_DBCONFIG_ENABLE_QPSG = 1007 };

static int stable(sqlite3 *db, const char **message, const void *api) {
	return sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_QPSG, 1, (int *)0);
}

static int keep_plans(void) { return sqlite3_auto_extension((void (*)(void))stable); }
*/
import "C"

import "fmt"

// Each connection keeps the plans of its statements, whatever values they are run
// with (SQLite's query planner stability guarantee, which the driver can't set).
// Without it SQLite 3.54 prepares a statement with a join, or a limit that is a
// parameter, again whenever its parameters are bound: what FindOutgoing of package
// payments asks took 165 µs instead of 10.
func init() {
	if rc := C.keep_plans(); rc != 0 {
		panic(fmt.Sprintf("db: SQLite refuses to keep plans: %d", rc))
	}
}
