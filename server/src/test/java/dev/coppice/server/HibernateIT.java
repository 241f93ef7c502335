package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import jakarta.persistence.CascadeType;
import jakarta.persistence.Entity;
import jakarta.persistence.GeneratedValue;
import jakarta.persistence.GenerationType;
import jakarta.persistence.Id;
import jakarta.persistence.LockModeType;
import jakarta.persistence.ManyToOne;
import jakarta.persistence.OneToMany;
import jakarta.persistence.OptimisticLockException;
import jakarta.persistence.Version;
import java.io.IOException;
import java.io.StringReader;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.hibernate.SessionFactory;
import org.hibernate.boot.registry.StandardServiceRegistryBuilder;
import org.hibernate.cfg.AvailableSettings;
import org.hibernate.cfg.Configuration;
import org.hibernate.exception.ConstraintViolationException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.postgresql.PGConnection;

/** Hibernate over HikariCP and pgjdbc, as a Spring application has it, through the whole server to a branch that sleeps. */
class HibernateIT {
    private static final int BOOKS = 500;

    private static ServerProcess server;
    private static String port;
    private static String password;
    private static String endpoint;

    @BeforeAll
    static void start() throws IOException {
        server = ServerProcess.start("hib");
        server.cli("branches", "create", "--name", "app").text();
        String uri = server.uri("app");
        port = uri.replaceAll(".*:(\\d+)/.*", "$1");
        password = uri.replaceAll(".*//[^:]*:([^@]*)@.*", "$1");
        endpoint = uri.replaceAll(".*endpoint%3D(ep-[a-z0-9-]+).*", "$1");
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    @Entity(name = "Author")
    static class Author {
        @Id
        @GeneratedValue(strategy = GenerationType.SEQUENCE)
        Long id;

        String name;

        @Version
        int version;

        @OneToMany(mappedBy = "author", cascade = CascadeType.ALL)
        List<Book> books = new ArrayList<>();
    }

    @Entity(name = "Book")
    static class Book {
        @Id
        @GeneratedValue(strategy = GenerationType.SEQUENCE)
        Long id;

        String title;

        @ManyToOne(optional = false)
        Author author;
    }

    @ParameterizedTest
    @CsvSource({
        "'', sslmode=disable",
        "'', sslmode=require",
        "'', sslmode=require&sslNegotiation=direct",
        "-pooler, sslmode=disable",
        "-pooler, sslmode=require"
    })
    void an_application_does_its_work(String suffix, String tls) throws Exception {
        server.cli("computes", "suspend", "app").text();
        HikariConfig pool = new HikariConfig();
        pool.setJdbcUrl("jdbc:postgresql://127.0.0.1:" + port + "/coppice?options=endpoint%3D" + endpoint + suffix
                + "&prepareThreshold=2&" + tls);
        pool.setUsername("coppice_owner");
        pool.setPassword(password);
        pool.setMaximumPoolSize(4);
        pool.setAutoCommit(false);
        try (HikariDataSource source = new HikariDataSource(pool);
                SessionFactory hibernate = new Configuration()
                        .addAnnotatedClass(Author.class)
                        .addAnnotatedClass(Book.class)
                        .buildSessionFactory(new StandardServiceRegistryBuilder()
                                .applySetting(AvailableSettings.HBM2DDL_AUTO, "create-drop")
                                .applySetting(AvailableSettings.STATEMENT_BATCH_SIZE, 50)
                                .applySetting(AvailableSettings.CONNECTION_PROVIDER_DISABLES_AUTOCOMMIT, true)
                                .applySetting(AvailableSettings.JAKARTA_NON_JTA_DATASOURCE, source)
                                .build())) {
            writesAndReads(hibernate);
            noticesWhoWasFirst(hibernate);
            survivesErrorsAndTimeouts(hibernate);
            copies(hibernate);
        }
    }

    private static void writesAndReads(SessionFactory hibernate) {
        hibernate.inTransaction(session -> {
            Author author = new Author();
            author.name = "Lem";
            for (int i = 0; i < BOOKS; i++) {
                Book book = new Book();
                book.title = "Volume " + i;
                book.author = author;
                author.books.add(book);
            }
            session.persist(author);
        });
        for (int i = 0; i < 5; i++) {
            int number = i;
            hibernate.inTransaction(session -> {
                List<Book> found = session.createQuery(
                                "from Book b join fetch b.author where b.title like :start order by b.id", Book.class)
                        .setParameter("start", "Volume " + number + "%")
                        .list();
                assertThat(found).isNotEmpty().allMatch(book -> book.author.name.equals("Lem"));
                found.getFirst().title = "Changed " + number;
            });
        }
        hibernate.inTransaction(session -> {
            try (Stream<Book> all = session.createQuery("from Book", Book.class)
                    .setFetchSize(50)
                    .getResultStream()) {
                assertThat(all.filter(book -> book.title.startsWith("Changed"))).hasSize(5);
            }
            assertThat(session.createNativeQuery("select repeat('x', 2000000)", String.class)
                            .getSingleResult())
                    .hasSize(2_000_000);
        });
    }

    private static void noticesWhoWasFirst(SessionFactory hibernate) {
        assertThatThrownBy(() -> hibernate.inTransaction(slow -> {
                    Author mine = slow.createQuery("from Author", Author.class).getSingleResult();
                    hibernate.inTransaction(quick -> {
                        Author theirs = quick.createQuery("from Author", Author.class)
                                .setLockMode(LockModeType.PESSIMISTIC_WRITE)
                                .getSingleResult();
                        theirs.name = "Stanisław Lem";
                    });
                    mine.name = "S. Lem";
                }))
                .isInstanceOf(OptimisticLockException.class);
    }

    private static void survivesErrorsAndTimeouts(SessionFactory hibernate) {
        assertThatThrownBy(() -> hibernate.inTransaction(session -> session.createNativeMutationQuery(
                                "insert into Book (id, title, author_id) values (-1, 'x', -1)")
                        .executeUpdate()))
                .isInstanceOf(ConstraintViolationException.class);
        // pgjdbc ends the statement with a cancel request.
        assertThatThrownBy(() -> hibernate.inTransaction(
                        session -> session.createNativeQuery("select 1 from pg_sleep(600)", Integer.class)
                                .setTimeout(1)
                                .getSingleResult()))
                .hasStackTraceContaining("canceling statement due to user request");
        assertThat(hibernate.<Long>fromTransaction(
                        session -> session.createQuery("select count(*) from Book", Long.class)
                                .getSingleResult()))
                .isEqualTo(BOOKS);
    }

    private static void copies(SessionFactory hibernate) {
        hibernate.inTransaction(session -> session.doWork(connection -> {
            try {
                long copied = connection
                        .unwrap(PGConnection.class)
                        .getCopyAPI()
                        .copyIn("copy Author (id, name, version) from stdin", new StringReader("900001\tCopied\t0\n"));
                assertThat(copied).isEqualTo(1);
            } catch (IOException e) {
                throw new SQLException(e);
            }
        }));
        hibernate.inTransaction(
                session -> assertThat(session.find(Author.class, 900_001L).name).isEqualTo("Copied"));
    }
}
