import { Code, TextInput } from '@mantine/core';

/** A step that destroys something asks for a name, so that it is not taken by accident. */
export function TypeName({ name, value, onChange, focus }: { name: string; value: string; onChange: (value: string) => void; focus?: boolean }) {
  return (
    <TextInput
      data-autofocus={focus || undefined}
      label={<>Type <Code>{name}</Code> to go on</>}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      autoComplete="off"
      spellCheck={false}
    />
  );
}
