package dev.coppice.control.secret;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.control.catalog.CatalogFixture;
import dev.coppice.control.error.ControlException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SecretBoxTest {
    private final SecureRandom random = new SecureRandom();
    private Path directory;

    @BeforeEach
    void make() throws IOException {
        directory = CatalogFixture.newDataDirectory();
    }

    @AfterEach
    void remove() throws IOException {
        CatalogFixture.delete(directory);
    }

    @Test
    void what_was_sealed_opens_with_the_same_key_file_also_later() throws IOException {
        Path file = directory.resolve("secret.key");
        byte[] sealed = SecretBox.open(file, random).seal("pässword", "role:a");
        assertThat(new String(sealed, StandardCharsets.ISO_8859_1)).doesNotContain("ssword");
        assertThat(SecretBox.open(file, random).open(sealed, "role:a")).isEqualTo("pässword");
        assertThat(Files.getPosixFilePermissions(file)).isEqualTo(PosixFilePermissions.fromString("rw-------"));
    }

    @Test
    void it_does_not_open_for_another_context_after_a_change_or_with_another_key() throws IOException {
        SecretBox box = SecretBox.open(directory.resolve("secret.key"), random);
        byte[] sealed = box.seal("password", "role:a");
        assertThatThrownBy(() -> box.open(sealed, "role:b")).isInstanceOf(ControlException.class);
        for (int i = 0; i < sealed.length; i++) {
            byte[] changed = sealed.clone();
            changed[i] ^= 1;
            assertThatThrownBy(() -> box.open(changed, "role:a"))
                    .as("byte %d", i)
                    .isInstanceOf(ControlException.class);
        }
        SecretBox other = SecretBox.open(directory.resolve("other.key"), random);
        assertThatThrownBy(() -> other.open(sealed, "role:a"))
                .isInstanceOf(ControlException.class)
                .hasMessageNotContaining("password\"");
        assertThatThrownBy(() -> box.open(new byte[3], "role:a")).isInstanceOf(ControlException.class);
    }

    @Test
    void equal_passwords_are_sealed_differently() throws IOException {
        SecretBox box = SecretBox.open(directory.resolve("secret.key"), random);
        assertThat(box.seal("same", "c")).isNotEqualTo(box.seal("same", "c"));
    }

    @Test
    void a_key_file_of_another_length_is_refused_not_replaced() throws IOException {
        Path file = Files.write(directory.resolve("secret.key"), new byte[5]);
        assertThatThrownBy(() -> SecretBox.open(file, random)).hasMessageContaining("5 bytes");
        assertThat(file).hasSize(5);
    }
}
