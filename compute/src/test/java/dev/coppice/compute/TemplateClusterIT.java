package dev.coppice.compute;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.common.TimelineId;
import dev.coppice.storage.PageService;
import dev.coppice.storage.Timeline;
import dev.coppice.storage.io.DurableFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TemplateClusterIT {
    private final ComputeUser user = ComputeUser.detect();
    private Path directory;
    private PageService pages;

    @BeforeEach
    void open() throws IOException {
        directory = TestDirectories.create();
        pages = PageService.open(directory.resolve("timelines"));
    }

    @AfterEach
    void close() throws IOException {
        pages.close();
        DurableFiles.deleteRecursively(directory);
    }

    @Test
    void is_made_once_and_leaves_no_scratch() {
        Timeline first = prepare();
        assertThat(first.readFile("PG_VERSION")).isPresent();
        assertThat(directory.resolve("initdb")).doesNotExist();

        assertThat(prepare().createdAt()).isEqualTo(first.createdAt());
    }

    @Test
    void half_a_template_is_made_again() throws IOException {
        // As a crash leaves it: the timeline is there, its import is not, and scratch lies around.
        pages.createRoot(new TimelineId("template"));
        Files.createDirectories(directory.resolve("initdb/pgdata/base"));

        assertThat(prepare().readFile("global/pg_control")).isPresent();
        assertThat(directory.resolve("initdb")).doesNotExist();
    }

    @Test
    void refuses_a_data_directory_of_another_major_version() {
        prepare();
        PostgresBinaries older = new PostgresBinaries(TestDirectories.binaries().bin(), 15);

        assertThatThrownBy(() -> TemplateCluster.prepare(
                        pages,
                        older,
                        TestDirectories.interposer(),
                        user,
                        TestDirectories.sandbox(),
                        directory.resolve("initdb")))
                .isInstanceOf(ComputeException.class)
                .hasMessageContaining(
                        "was made by Postgres " + TestDirectories.binaries().majorVersion())
                .hasMessageContaining("postgres.bin");
    }

    private Timeline prepare() {
        return TemplateCluster.prepare(
                pages,
                TestDirectories.binaries(),
                TestDirectories.interposer(),
                user,
                TestDirectories.sandbox(),
                directory.resolve("initdb"));
    }
}
