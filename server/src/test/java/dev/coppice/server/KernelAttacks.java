package dev.coppice.server;

import static dev.coppice.server.Attack.Mechanism.LANDLOCK;
import static dev.coppice.server.Attack.Mechanism.NO_NEW_PRIVILEGES;
import static dev.coppice.server.Attack.Mechanism.SECCOMP;
import static dev.coppice.server.Attack.Mechanism.UNPRIVILEGED;

import dev.coppice.server.Attack.Mechanism;
import dev.coppice.server.Attack.Party;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** System calls that Postgres never needs, and ways to become another user. Numbers are those of x86-64. */
final class KernelAttacks {
    private KernelAttacks() {}

    /** @param open whether the kernel gives it to everybody when nothing is in the way */
    private record Call(String name, boolean open, List<Object> arguments) {}

    private static Call call(String name, boolean open, Object... arguments) {
        return new Call(name, open, List.of(arguments));
    }

    private static final int NEW_USER = 0x10000000;
    private static final int NEW_NAMESPACE = 0x00020000;

    private static List<Call> calls() {
        return List.of(
                call("unshare(CLONE_NEWUSER)", true, 272, NEW_USER),
                call("clone3 and clone(CLONE_NEWUSER)", true, 56, NEW_USER | 17),
                call("userfaultfd(UFFD_USER_MODE_ONLY)", true, 323, 1),
                call("io_uring_setup", true, 425, 4, "buffer"),
                call("add_key", true, 248, "\"user", "\"coppice", "\"x", 1, -2),
                call("keyctl(KEYCTL_GET_KEYRING_ID)", true, 250, 0, -2, 1),
                call("ptrace(PTRACE_TRACEME)", true, 101, 0),
                call("memfd_secret", false, 447, 0),
                call("modify_ldt", true, 154, 0, "buffer", 64),
                call("personality(ADDR_NO_RANDOMIZE)", true, 135, 0x0040000),
                call("name_to_handle_at", false, 303, -100, "\"/", "buffer", "buffer", 0),
                call("unshare(CLONE_NEWNS)", false, 272, NEW_NAMESPACE),
                call("mount", false, 165, "\"none", "\"/tmp", "\"tmpfs", 0, 0),
                call("umount2", false, 166, "\"/proc", 2),
                call("pivot_root", false, 155, "\"/", "\"/"),
                call("chroot", false, 161, "\"/"),
                call("setns", false, 308, 0, 0),
                call("fsopen", false, 430, "\"tmpfs", 0),
                call("open_tree(OPEN_TREE_CLONE)", false, 428, -100, "\"/", 1),
                call("bpf(BPF_PROG_LOAD)", false, 321, 5, "buffer", 64),
                call("perf_event_open", false, 298, "buffer", 0, -1, -1, 0),
                call("kexec_load", false, 246, 0, 0, 0, 0),
                call("init_module", false, 175, "buffer", 0, "\""),
                call("finit_module", false, 313, 0, "\"", 0),
                call("reboot", false, 169, 0, 0, 0, 0),
                call("swapon", false, 167, "\"/dev/vda", 0),
                call("acct", false, 163, "\"/tmp/acct"),
                call("syslog(SYSLOG_ACTION_READ_ALL)", false, 103, 3, "buffer", 4096),
                call("sethostname", false, 170, "\"x", 1),
                call("settimeofday", false, 164, "buffer", 0),
                call("iopl", false, 172, 3),
                call("open_by_handle_at", false, 304, 3, "buffer", 0),
                call("fanotify_init", false, 300, 0, 0),
                call("setuid(0)", false, 105, 0),
                call("setresuid(0, 0, 0)", false, 117, 0, 0, 0),
                call("setgroups", false, 116, 0, 0));
    }

    static List<Attack> all() {
        List<Attack> attacks = new ArrayList<>();
        for (Call call : calls()) {
            Set<Mechanism> mechanisms = call.open ? Set.of(SECCOMP) : Set.of(SECCOMP, UNPRIVILEGED);
            attacks.add(new Attack(Party.OWNER, "reach more of the kernel", call.name, mechanisms, (_, from) -> {
                String said = from.call("call", call.arguments.toArray());
                return said.startsWith("ok") ? Optional.of(said) : Optional.empty();
            }));
        }
        attacks.add(new Attack(
                Party.OWNER,
                "become root",
                "a copy of cat that belongs to root and has the set-user-ID bit",
                Set.of(NO_NEW_PRIVILEGES, LANDLOCK),
                KernelAttacks::setUserId));
        attacks.add(new Attack(
                Party.ANONYMIZED,
                "go round the system call filter",
                "numbers of the x32 interface",
                Set.of(SECCOMP, UNPRIVILEGED),
                (_, from) -> {
                    String said = from.call("call", 0x40000000 | 272, NEW_USER);
                    return said.startsWith("ok") ? Optional.of(said) : Optional.empty();
                }));
        return attacks;
    }

    /** In the attacker's own directory, where he may start what he likes, as if a host had such a program anywhere. */
    private static Optional<String> setUserId(Cage cage, Foothold from) throws SQLException, IOException {
        Path program = Path.of(from.sql("SHOW data_directory"), "root-cat");
        Path secret = cage.server().directory().resolve("root-only");
        Files.copy(Path.of("/bin/cat"), program);
        Files.setAttribute(program, "unix:uid", 0);
        Files.setAttribute(program, "unix:mode", 04755);
        Files.writeString(secret, "of root");
        Files.setAttribute(secret, "unix:uid", 0);
        Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rw-------"));
        try {
            String said = from.program(program + " " + secret);
            return said.contains("of root") ? Optional.of(said) : Optional.empty();
        } finally {
            Files.deleteIfExists(program);
            Files.deleteIfExists(secret);
        }
    }
}
