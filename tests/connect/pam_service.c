/* Preloaded into a server: PAM reads its services from a folder of the test's, not from /etc. */
#include <dlfcn.h>
#include <stdlib.h>

typedef int start_confdir(const char *, const char *, const void *, const char *, void **);

int pam_start(const char *service, const char *user, const void *conversation, void **handle)
{
    void *pam = dlopen("libpam.so.0", RTLD_NOW);
    start_confdir *start = pam ? (start_confdir *)dlsym(pam, "pam_start_confdir") : NULL;
    const int system_error = 4;

    if (!start)
        return system_error;
    return start(service, user, conversation, getenv("AIOMYSQL_TEST_PAM"), handle);
}
