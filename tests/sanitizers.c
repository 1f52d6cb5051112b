/* SPDX-License-Identifier: BSD-3-Clause */
/* Settings of AddressSanitizer and LeakSanitizer, linked into every program of the asan build, so that a
 * program run by hand behaves as under the tests. Leaks of the libraries below us at their start and end are
 * not ours. */

__attribute__((visibility("default"))) const char *__asan_default_options(void);
__attribute__((visibility("default"))) const char *__lsan_default_options(void);
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
__attribute__((visibility("default"))) int dlclose(void *handle);

/* gcc 12's record of dynamic TLS blocks mistakes one that begins near a page for glibc 2.19's layout and
 * reads through garbage when it looks for leaks ("Tracer caught signal 11"). Suppressions need whole stacks.
 */
const char *__asan_default_options(void)
{
  return "intercept_tls_get_addr=0:fast_unwind_on_malloc=0";
}

const char *__lsan_default_options(void)
{
  return "print_suppressions=0";
}

const char *__lsan_default_suppressions(void)
{
  return "leak:libmpi\nleak:libopen-rte\nleak:libopen-pal\nleak:libpmix\nleak:libevent\nleak:libhwloc\n"
         "leak:mca_\nleak:libhdf5\n";
}

/* MPI_Finalize unloads its plug-ins; kept loaded, their leaks still have a name that can be suppressed. */
int dlclose(void *handle)
{
  (void)handle;
  return 0;
}
