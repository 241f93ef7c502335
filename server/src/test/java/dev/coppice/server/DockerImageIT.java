package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.testcontainers.containers.Container.ExecResult;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.images.builder.ImageFromDockerfile;
import org.testcontainers.junit.jupiter.Container;
import org.testcontainers.junit.jupiter.Testcontainers;

/** Builds the image from the sources and uses it as a user would; skipped where no Docker engine runs. */
@Testcontainers(disabledWithoutDocker = true)
class DockerImageIT {
    private static final int PROXY_PORT = 5432;
    private static final Path ROOT = Path.of("..");

    @Container
    private static final GenericContainer<?> COPPICE = new GenericContainer<>(image())
            .withExposedPorts(PROXY_PORT, 5480)
            .waitingFor(Wait.forLogMessage(".*Coppice is ready.*", 1).withStartupTimeout(Duration.ofMinutes(2)));

    @Test
    void the_image_serves_branches_as_an_unprivileged_user() throws IOException, InterruptedException, SQLException {
        assertThat(inside("id", "-un")).isEqualTo("coppice");
        assertThat(query(
                        inside("coppice", "connection-string"),
                        "create table t as select 42 as answer; select answer from t"))
                .isEqualTo("42");
        inside("coppice", "branches", "create", "--name", "dev-alice");
        assertThat(query(inside("coppice", "cs", "dev-alice"), "delete from t; select count(*) from t"))
                .isEqualTo("0");
        assertThat(query(inside("coppice", "cs", "main"), "select answer from t"))
                .isEqualTo("42");
    }

    private static String inside(String... command) throws IOException, InterruptedException {
        ExecResult result = COPPICE.execInContainer(command);
        assertThat(result.getExitCode())
                .as(result.getStdout() + result.getStderr())
                .isZero();
        return result.getStdout().strip();
    }

    /** Runs statements over the published port and returns the first value of the last one. */
    private static String query(String connectionString, String sql) throws SQLException {
        URI uri = URI.create(connectionString);
        List<String> login = List.of(uri.getUserInfo().split(":", 2));
        Properties properties = new Properties();
        properties.setProperty("user", login.get(0));
        properties.setProperty("password", login.get(1));
        properties.setProperty("options", uri.getQuery().substring("options=".length()));
        String url = "jdbc:postgresql://" + COPPICE.getHost() + ":" + COPPICE.getMappedPort(PROXY_PORT) + uri.getPath();
        try (Connection connection = DriverManager.getConnection(url, properties);
                Statement statement = connection.createStatement()) {
            boolean rows = statement.execute(sql);
            while (!rows) {
                rows = statement.getMoreResults();
            }
            try (ResultSet result = statement.getResultSet()) {
                result.next();
                return result.getString(1);
            }
        }
    }

    /** Only sources go into the build: build directories are large, and the image must not depend on them. */
    private static ImageFromDockerfile image() {
        ImageFromDockerfile image = new ImageFromDockerfile();
        image.withFileFromPath("Dockerfile", ROOT.resolve("docker/Dockerfile"));
        List<String> files = List.of("coppice", "pom.xml", "config", "packaging", "docker");
        files.forEach(name -> image.withFileFromPath(name, ROOT.resolve(name)));
        try (Stream<Path> modules = Files.list(ROOT)) {
            for (Path module :
                    modules.filter(m -> Files.exists(m.resolve("pom.xml"))).toList()) {
                String name = String.valueOf(module.getFileName());
                image.withFileFromPath(name + "/pom.xml", module.resolve("pom.xml"));
                if (Files.exists(module.resolve("src/main"))) {
                    image.withFileFromPath(name + "/src/main", module.resolve("src/main"));
                }
            }
        } catch (IOException e) {
            throw new IllegalStateException("cannot list " + ROOT, e);
        }
        return image;
    }
}
