export const notices = {
  dismiss: 'Close this notice',
  code: (code: string) => `Code ${code}`,
  progress: (done: number, of: number) => `${done} of ${of}`,
}
