package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.common.config.ListenAddress;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import org.junit.jupiter.api.Test;

class ListenPortsTest {
    @Test
    void a_taken_port_is_named_with_the_key_that_sets_it() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            ListenAddress address = new ListenAddress(taken.getInetAddress().getHostAddress(), taken.getLocalPort());
            assertThatThrownBy(() -> ListenPorts.requireFree("proxy.listen", address))
                    .isInstanceOf(ServerStartException.class)
                    .hasMessageContainingAll(address.toString(), "proxy.listen", "in use");
        }
    }

    @Test
    void any_free_port_is_one_that_can_be_printed_and_listened_on() throws IOException {
        ListenAddress found = ListenPorts.requireFree("proxy.listen", new ListenAddress("127.0.0.1", 0));
        assertThat(found.port()).isPositive();
        new ServerSocket(found.port(), 1, InetAddress.getLoopbackAddress()).close();
    }
}
