export const notices = {
  error: 'Something did not work',
  lost: 'What is lost',
  next: 'What next',
  dismiss: 'Close this notice',
  close: 'Close',
  cancel: 'Cancel',
  code: (code: string) => `Code ${code}`,
  working: 'Working…',
  progress: (done: number, of: number) => `${done} of ${of}`,
  items: (count: number) => (count === 1 ? '1 entry' : `${count.toLocaleString('en-GB')} entries`),
}
