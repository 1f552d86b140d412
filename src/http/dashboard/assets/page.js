/** All that the pages need of a script of their own. Without it everything still works, in UTC and without copying. */

const wide = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'long' });
const short = new Intl.DateTimeFormat(undefined, {
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});

function prepare(root) {
  for (const time of root.querySelectorAll('time[datetime]')) {
    const at = new Date(time.dateTime);
    time.textContent = short.format(at);
    time.title = wide.format(at);
  }
  for (const button of root.querySelectorAll('[data-copy]')) button.hidden = false;
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-copy]');
  if (button !== null) {
    const whole = button.parentElement.querySelector('pre');
    const select = () => {
      getSelection().selectAllChildren(whole);
      button.textContent = document.execCommand('copy') ? 'Copied' : 'Selected: copy it';
    };
    // Over plain http browsers have a clipboard for loopback names alone.
    if (navigator.clipboard === undefined) select();
    else navigator.clipboard.writeText(whole.textContent).then(() => (button.textContent = 'Copied'), select);
  }
  const close = event.target.closest('dialog [data-close]');
  if (close !== null) {
    event.preventDefault();
    close.closest('dialog').close();
  }
});

// What narrows a list does so at once.
document.addEventListener('change', (event) => {
  const form = event.target.closest('[data-filters]');
  if (form !== null && event.target.tagName === 'SELECT') form.requestSubmit();
});
document.addEventListener('submit', (event) => {
  if (!event.target.matches('[data-filters]')) return;
  for (const field of event.target.elements) if (field.value === '') field.disabled = true;
});
addEventListener('pageshow', () => {
  for (const field of document.querySelectorAll('[data-filters] :disabled')) field.disabled = false;
});

// Times are chosen in the reader's own zone, as they are shown, and sent in UTC.
const moments = '[data-filters] [type=datetime-local]';
for (const field of document.querySelectorAll(moments)) {
  field.parentElement.querySelector('small').textContent = 'your time';
  // Its value may be one that the browser kept through a reload.
  const at = new Date(`${field.defaultValue}Z`);
  if (!Number.isNaN(at.getTime())) field.valueAsNumber = at - at.getTimezoneOffset() * 60_000;
}
document.addEventListener('formdata', (event) => {
  for (const field of event.target.querySelectorAll(moments))
    if (event.formData.get(field.name)) event.formData.set(field.name, new Date(field.value).toISOString());
});

// Nobody looks: nothing is asked.
document.addEventListener('htmx:before:request', (event) => {
  if (document.hidden && event.target.closest?.('[data-poll]')) event.preventDefault();
});
document.addEventListener('htmx:after:swap', () => {
  prepare(document);
  const dialog = document.getElementById('ask');
  if (dialog?.hasChildNodes() && !dialog.open) dialog.showModal();
  if (document.querySelector('#rows tr') !== null) {
    document.querySelector('.vacant')?.classList.remove('vacant');
    document.getElementById('none')?.remove();
  }
});
document.getElementById('ask')?.addEventListener('close', (event) => event.target.replaceChildren());

prepare(document);
// On a phone the row of sections is wider than the screen. `scrollIntoView` would scroll the page away from its anchor too.
const section = document.querySelector('.side nav [aria-current]');
if (section !== null) section.closest('nav').scrollLeft = section.offsetLeft - innerWidth / 2;
document.querySelector('[data-focus]')?.focus();
