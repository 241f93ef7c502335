package dev.coppice.compute.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With directories in the place of the kernel's; {@code SandboxLimitsIT} has the kernel's. */
class ControlGroupsTest {
    private static final Limits LIMITS = new Limits(1L << 30, 700, 0.25);

    @TempDir
    private Path root;

    @Test
    void version_1_has_a_group_in_each_hierarchy() throws IOException {
        for (String controller : List.of("memory", "cpu", "pids")) {
            Files.createDirectories(root.resolve(controller));
        }
        files("memory", "memory.limit_in_bytes");
        files("cpu", "cpu.shares");
        files("pids", "pids.max");

        List<Path> groups = ControlGroups.find(root).orElseThrow().prepare("a", LIMITS);

        assertThat(groups)
                .containsExactly(
                        root.resolve("memory/coppice/a"),
                        root.resolve("cpu/coppice/a"),
                        root.resolve("pids/coppice/a"));
        assertThat(root.resolve("memory/coppice/a/memory.limit_in_bytes")).hasContent(Long.toString(1L << 30));
        assertThat(root.resolve("pids/coppice/a/pids.max")).hasContent("700");
        assertThat(root.resolve("cpu/coppice/a/cpu.shares")).hasContent("256");
    }

    @Test
    void version_2_has_one_group() throws IOException {
        Files.createFile(root.resolve("cgroup.controllers"));
        Files.createFile(root.resolve("cgroup.subtree_control"));
        Path group = Files.createDirectories(root.resolve("coppice/a"));
        for (String file : List.of("cgroup.subtree_control", "cpu.weight")) {
            Files.createFile(root.resolve("coppice").resolve(file));
        }
        for (String file : List.of("memory.max", "pids.max", "cpu.weight")) {
            Files.createFile(group.resolve(file));
        }

        List<Path> groups = ControlGroups.find(root).orElseThrow().prepare("a", LIMITS);

        assertThat(groups).containsExactly(group);
        assertThat(group.resolve("memory.max")).hasContent(Long.toString(1L << 30));
        assertThat(group.resolve("pids.max")).hasContent("700");
        assertThat(group.resolve("cpu.weight")).hasContent("25");
    }

    @Test
    void where_no_groups_can_be_made_there_are_none() {
        assertThat(ControlGroups.find(root.resolve("nowhere"))).isEmpty();
    }

    /** The kernel makes a new group's files; here they are there before. */
    private void files(String controller, String file) throws IOException {
        Files.createFile(Files.createDirectories(root.resolve(controller).resolve("coppice/a"))
                .resolve(file));
    }
}
