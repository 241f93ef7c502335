package dev.coppice.compute;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.storage.io.DurableFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LocalDirectoryTest {
    private Path timeline;
    private Path wal;
    private final ComputeUser user = ComputeUser.detect();
    private LocalDirectory local;

    @BeforeEach
    void create() throws IOException {
        timeline = TestDirectories.create();
        wal = Files.createDirectory(timeline.resolve("wal"));
        local = new LocalDirectory(timeline, "test");
    }

    @AfterEach
    void delete() throws IOException {
        DurableFiles.deleteRecursively(timeline);
    }

    @Test
    void lays_out_private_directories_the_configuration_and_the_way_to_the_wal() throws IOException {
        local.layOut(user, List.of("base", "base/5", "pg_wal", "pg_wal/archive_status"), Map.of("pg_hba.conf", "text"));

        assertThat(local.pgdata().resolve("base/5")).isDirectory();
        assertThat(local.pgdata().resolve("pg_notify")).isDirectory();
        assertThat(local.pgdata().resolve("pg_hba.conf")).hasContent("text");
        assertThat(Files.readSymbolicLink(local.pgdata().resolve("pg_wal"))).isEqualTo(Path.of("../../wal"));
        assertThat(wal).isEmptyDirectory();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(local.pgdata())))
                .isEqualTo("rwx------");
        assertThat(Files.getAttribute(local.pgdata().resolve("base/5"), "unix:uid"))
                .isEqualTo(user.uid());
    }

    @Test
    void files_are_warm_only_for_the_epoch_that_ended_cleanly_and_only_until_the_next_layout() throws IOException {
        assertThat(local.isWarm(0, user)).isFalse();
        local.layOut(user, List.of(), Map.of());
        assertThat(local.isWarm(1, user)).isFalse();

        local.markClean(1);
        assertThat(local.isWarm(1, user)).isTrue();
        assertThat(local.isWarm(2, user)).isFalse();

        local.layOut(user, List.of(), Map.of());
        assertThat(local.isWarm(1, user)).isFalse();
    }

    @Test
    void files_of_another_boot_are_not_warm() throws IOException {
        local.layOut(user, List.of(), Map.of());
        local.markClean(1);
        Path marker = timeline.resolve("clean");
        Files.writeString(
                marker, Files.readString(marker).replaceFirst("boot .*", "boot 00000000-0000-0000-0000-000000000000"));

        assertThat(local.isWarm(1, user)).isFalse();
    }

    @Test
    void files_of_another_user_or_in_a_copy_are_not_warm() throws IOException {
        local.layOut(user, List.of(), Map.of());
        local.markClean(1);

        assertThat(local.isWarm(1, new ComputeUser("other", user.uid() + 1, user.gid(), false, false)))
                .isFalse();
        assertThat(new LocalDirectory(timeline, "copy").isWarm(1, user)).isFalse();
        assertThat(local.isWarm(1, user)).isTrue();
    }

    @Test
    void links_in_the_place_of_its_files_lead_nowhere() throws IOException {
        local.layOut(user, List.of(), Map.of());
        Path secret = Files.writeString(timeline.resolve("secret"), "secret");
        for (String name : List.of("pg_hba.conf", "pg_hba.conf.coppice-new", "postmaster.pid", "standby.signal")) {
            Files.createSymbolicLink(local.pgdata().resolve(name), secret);
        }
        Files.delete(local.pgdata().resolve("pg_wal"));
        Files.createSymbolicLink(local.pgdata().resolve("pg_wal"), Path.of("/etc"));
        Files.createSymbolicLink(local.map(), secret);

        local.layOut(user, List.of(), Map.of("pg_hba.conf", "text"));

        assertThat(secret).hasContent("secret");
        assertThat(local.pgdata().resolve("pg_hba.conf")).hasContent("text");
        assertThat(Files.readSymbolicLink(local.pgdata().resolve("pg_wal"))).isEqualTo(Path.of("../../wal"));
        assertThatThrownBy(() -> local.ranIn(1)).hasMessageContaining("no regular file");
    }

    @Test
    void an_epoch_whose_postmaster_never_ran_left_no_files() throws IOException {
        local.layOut(user, List.of(), Map.of());
        assertThat(local.ranIn(3)).isFalse();
        byte[] map = new byte[64];
        map[12] = 3;
        Files.write(local.map(), map);
        user.own(local.map());
        assertThat(local.ranIn(3)).isTrue();
        assertThat(local.ranIn(4)).isFalse();
    }

    @Test
    void discarding_makes_room_at_once() throws IOException {
        local.layOut(user, List.of("base", "base/5"), Map.of());
        local.markClean(1);

        local.discard();

        assertThat(local.directory()).doesNotExist();
        local.layOut(user, List.of(), Map.of());
        assertThat(local.pgdata()).isDirectory();
        assertThat(wal).isDirectory();
    }
}
