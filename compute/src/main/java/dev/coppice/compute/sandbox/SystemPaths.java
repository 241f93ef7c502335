package dev.coppice.compute.sandbox;

import java.util.List;

/** What every sandbox may read of the machine: programs, libraries and what they need to run at all. No secrets, no homes. */
final class SystemPaths {
    /** Left out where they do not exist. */
    static final List<String> READ = List.of(
            "/usr",
            "/bin",
            "/sbin",
            "/lib",
            "/lib32",
            "/lib64",
            "/nix/store",
            "/gnu/store",
            "/etc/ld.so.cache",
            "/etc/ld.so.conf",
            "/etc/ld.so.conf.d",
            "/etc/ld-musl-x86_64.path",
            "/etc/ld-musl-aarch64.path",
            "/etc/alternatives",
            "/etc/localtime",
            "/etc/timezone",
            "/etc/nsswitch.conf",
            "/etc/passwd",
            "/etc/group",
            "/etc/hosts",
            "/etc/host.conf",
            "/etc/resolv.conf",
            "/etc/gai.conf",
            "/etc/services",
            "/etc/protocols",
            "/etc/ssl/certs",
            "/etc/ssl/openssl.cnf",
            "/etc/ca-certificates",
            "/etc/pki/tls/certs",
            "/etc/pki/ca-trust",
            "/proc/cpuinfo",
            "/proc/meminfo",
            "/sys/devices/system/cpu",
            "/sys/devices/system/node");

    /** Read and written. */
    static final List<String> DEVICES = List.of("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom");

    private SystemPaths() {}
}
